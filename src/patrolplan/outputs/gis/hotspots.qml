<qgis version="3.22.0-Białowieża" labelsEnabled="1" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="categorizedSymbol" attr="if(attribute($currentfeature, 'kind') = 'designated', 'designated', &quot;carried_by&quot;)" symbollevels="1">
  <categories>
   <category symbol="0" label="mostly recorded crime" render="true" type="string" value="recorded" />
   <category symbol="1" label="mostly pupils' reports" render="true" type="string" value="feared" />
   <category symbol="2" label="mostly crime where many pupils pass" render="true" type="string" value="way" />
   <category symbol="3" label="designated by the force" render="true" type="string" value="designated" />
  </categories>
  <symbols>
   <symbol name="0" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="line_color" value="122,74,18,255" type="QString" />
      <Option name="line_width" value="3" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="1">
     <Option type="Map">
      <Option name="line_color" value="243,192,138,255" type="QString" />
      <Option name="line_width" value="2.6" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
    <layer class="HashLine" enabled="1" locked="0" pass="2">
     <Option type="Map">
      <Option name="interval" value="1.4" type="QString" />
      <Option name="interval_unit" value="MM" type="QString" />
      <Option name="placements" value="Interval" type="QString" />
      <Option name="hash_length" value="3.38" type="QString" />
      <Option name="hash_angle" value="45" type="QString" />
     </Option>
     <symbol name="@0@2" type="line" alpha="1">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" value="122,74,18,255" type="QString" />
        <Option name="line_width" value="0.15" type="QString" />
        <Option name="line_width_unit" value="MM" type="QString" />
        <Option name="capstyle" value="flat" type="QString" />
        <Option name="joinstyle" value="round" type="QString" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol name="1" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="line_color" value="122,74,18,255" type="QString" />
      <Option name="line_width" value="3" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="1">
     <Option type="Map">
      <Option name="line_color" value="243,192,138,255" type="QString" />
      <Option name="line_width" value="2.6" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" locked="0" pass="2">
     <Option type="Map">
      <Option name="interval" value="2.4" type="QString" />
      <Option name="interval_unit" value="MM" type="QString" />
      <Option name="placements" value="Interval" type="QString" />
     </Option>
     <symbol name="@1@2" type="marker" alpha="1">
      <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="name" value="circle" type="QString" />
        <Option name="size" value="0.9" type="QString" />
        <Option name="color" value="122,74,18,255" type="QString" />
        <Option name="outline_color" value="122,74,18,255" type="QString" />
        <Option name="outline_width" value="0" type="QString" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol name="2" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="line_color" value="122,74,18,255" type="QString" />
      <Option name="line_width" value="3" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="1">
     <Option type="Map">
      <Option name="line_color" value="243,192,138,255" type="QString" />
      <Option name="line_width" value="2.6" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="3" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="line_color" value="0,0,0,255" type="QString" />
      <Option name="line_width" value="3.6" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="1">
     <Option type="Map">
      <Option name="line_color" value="243,192,138,255" type="QString" />
      <Option name="line_width" value="2.6" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="hotspot" isExpression="0" fontSize="7" fontSizeUnit="Point" fontWeight="75" namedStyle="Bold" textColor="122,74,18,255" textOpacity="1">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferOpacity="1" bufferColor="255,255,255,255" />
   </text-style>
   <text-format autoWrapLength="0" useMaxLineLengthForAutoWrap="1" multilineAlign="1" />
   <placement placement="2" placementFlags="10" predefinedPositionOrder="R,L,TR,TL,BR,BL,T,B" priority="5" dist="0" distUnits="MM" offsetType="1" repeatDistance="0" repeatDistanceUnits="MM" maxCurvedCharAngleIn="25" maxCurvedCharAngleOut="-25" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="10000" mergeLines="0" obstacle="1" obstacleFactor="2" drawLabels="1" minFeatureSize="0" />
  </settings>
 </labeling>
</qgis>
