<qgis version="3.22.0-Białowieża" labelsEnabled="1" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="singleSymbol" symbollevels="1">
  <symbols>
   <symbol name="0" type="marker" alpha="1">
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="square" type="QString" />
      <Option name="size" value="4" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="outline_color" value="0,0,0,255" type="QString" />
      <Option name="outline_width" value="0.6" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="square" type="QString" />
      <Option name="size" value="1.2" type="QString" />
      <Option name="color" value="0,0,0,255" type="QString" />
      <Option name="outline_color" value="0,0,0,255" type="QString" />
      <Option name="outline_width" value="0.2" type="QString" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="name" isExpression="0" fontSize="8" fontSizeUnit="Point" fontWeight="75" namedStyle="Bold" textColor="0,0,0,255" textOpacity="1">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferOpacity="1" bufferColor="255,255,255,255" />
   </text-style>
   <text-format autoWrapLength="20" useMaxLineLengthForAutoWrap="1" multilineAlign="1" />
   <placement placement="6" placementFlags="0" predefinedPositionOrder="R,L,TR,TL,BR,BL,T,B" priority="9" dist="3" distUnits="MM" offsetType="1" repeatDistance="0" repeatDistanceUnits="MM" maxCurvedCharAngleIn="25" maxCurvedCharAngleOut="-25" />
   <rendering scaleVisibility="0" scaleMin="0" scaleMax="0" mergeLines="0" obstacle="1" obstacleFactor="2" drawLabels="1" minFeatureSize="0" />
  </settings>
 </labeling>
 <fieldConfiguration>
  <field name="opens">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" value="{{ shown }}" type="QString" />
      <Option name="field_format" value="yyyy-MM-dd HH:mm:ss" type="QString" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="finishes">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" value="{{ shown }}" type="QString" />
      <Option name="field_format" value="yyyy-MM-dd HH:mm:ss" type="QString" />
     </Option>
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
</qgis>
