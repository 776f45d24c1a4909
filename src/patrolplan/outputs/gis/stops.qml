<qgis version="3.22.0-Białowieża" labelsEnabled="1" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="categorizedSymbol" attr="kind" symbollevels="0">
  <categories>
   <category symbol="0" label="stop in a hotspot of the plan" render="true" type="string" value="hotspot" />
   <category symbol="1" label="stop at a corner of the pupils' ways" render="true" type="string" value="corner" />
   <category symbol="2" label="stop at the school gate" render="true" type="string" value="gate" />
   <category symbol="3" label="stop at a tasked place" render="true" type="string" value="tasked" />
   <category symbol="4" label="stop in a designated hotspot" render="true" type="string" value="designated" />
   <category symbol="5" label="another stop" render="true" type="string" value="" />
  </categories>
  <symbols>
   <symbol name="0" type="marker" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="circle" type="QString" />
      <Option name="size" value="4.4" type="QString" />
      <Option name="color" value="0,0,0,255" type="QString" />
      <Option name="outline_color" value="255,255,255,255" type="QString" />
      <Option name="outline_width" value="0.3" type="QString" />
     </Option>
    </layer>
    <layer class="FontMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="size" value="3" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="chr" value="1" type="QString" />
      <Option name="font" value="Arial" type="QString" />
      <Option name="font_style" value="Bold" type="QString" />
     </Option>
     <data_defined_properties>
      <Option type="Map">
       <Option name="name" value="" type="QString" />
       <Option name="properties" type="Map">
        <Option name="char" type="Map">
         <Option name="active" value="true" type="bool" />
         <Option name="expression" value="to_string(&quot;stop&quot;)" type="QString" />
         <Option name="type" value="3" type="int" />
        </Option>
       </Option>
       <Option name="type" value="collection" type="QString" />
      </Option>
     </data_defined_properties>
    </layer>
   </symbol>
   <symbol name="1" type="marker" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="circle" type="QString" />
      <Option name="size" value="4.4" type="QString" />
      <Option name="color" value="70,70,70,255" type="QString" />
      <Option name="outline_color" value="255,255,255,255" type="QString" />
      <Option name="outline_width" value="0.3" type="QString" />
     </Option>
    </layer>
    <layer class="FontMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="size" value="3" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="chr" value="1" type="QString" />
      <Option name="font" value="Arial" type="QString" />
      <Option name="font_style" value="Bold" type="QString" />
     </Option>
     <data_defined_properties>
      <Option type="Map">
       <Option name="name" value="" type="QString" />
       <Option name="properties" type="Map">
        <Option name="char" type="Map">
         <Option name="active" value="true" type="bool" />
         <Option name="expression" value="to_string(&quot;stop&quot;)" type="QString" />
         <Option name="type" value="3" type="int" />
        </Option>
       </Option>
       <Option name="type" value="collection" type="QString" />
      </Option>
     </data_defined_properties>
    </layer>
   </symbol>
   <symbol name="2" type="marker" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="square" type="QString" />
      <Option name="size" value="4.4" type="QString" />
      <Option name="color" value="0,0,0,255" type="QString" />
      <Option name="outline_color" value="255,255,255,255" type="QString" />
      <Option name="outline_width" value="0.3" type="QString" />
     </Option>
    </layer>
    <layer class="FontMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="size" value="3" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="chr" value="1" type="QString" />
      <Option name="font" value="Arial" type="QString" />
      <Option name="font_style" value="Bold" type="QString" />
     </Option>
     <data_defined_properties>
      <Option type="Map">
       <Option name="name" value="" type="QString" />
       <Option name="properties" type="Map">
        <Option name="char" type="Map">
         <Option name="active" value="true" type="bool" />
         <Option name="expression" value="to_string(&quot;stop&quot;)" type="QString" />
         <Option name="type" value="3" type="int" />
        </Option>
       </Option>
       <Option name="type" value="collection" type="QString" />
      </Option>
     </data_defined_properties>
    </layer>
   </symbol>
   <symbol name="3" type="marker" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="square" type="QString" />
      <Option name="size" value="5.6" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="outline_color" value="0,0,0,255" type="QString" />
      <Option name="outline_width" value="0.4" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="circle" type="QString" />
      <Option name="size" value="4.4" type="QString" />
      <Option name="color" value="0,0,0,255" type="QString" />
      <Option name="outline_color" value="255,255,255,255" type="QString" />
      <Option name="outline_width" value="0.3" type="QString" />
     </Option>
    </layer>
    <layer class="FontMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="size" value="3" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="chr" value="1" type="QString" />
      <Option name="font" value="Arial" type="QString" />
      <Option name="font_style" value="Bold" type="QString" />
     </Option>
     <data_defined_properties>
      <Option type="Map">
       <Option name="name" value="" type="QString" />
       <Option name="properties" type="Map">
        <Option name="char" type="Map">
         <Option name="active" value="true" type="bool" />
         <Option name="expression" value="to_string(&quot;stop&quot;)" type="QString" />
         <Option name="type" value="3" type="int" />
        </Option>
       </Option>
       <Option name="type" value="collection" type="QString" />
      </Option>
     </data_defined_properties>
    </layer>
   </symbol>
   <symbol name="4" type="marker" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="diamond" type="QString" />
      <Option name="size" value="7" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="outline_color" value="0,0,0,255" type="QString" />
      <Option name="outline_width" value="0.4" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="circle" type="QString" />
      <Option name="size" value="4.4" type="QString" />
      <Option name="color" value="0,0,0,255" type="QString" />
      <Option name="outline_color" value="255,255,255,255" type="QString" />
      <Option name="outline_width" value="0.3" type="QString" />
     </Option>
    </layer>
    <layer class="FontMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="size" value="3" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="chr" value="1" type="QString" />
      <Option name="font" value="Arial" type="QString" />
      <Option name="font_style" value="Bold" type="QString" />
     </Option>
     <data_defined_properties>
      <Option type="Map">
       <Option name="name" value="" type="QString" />
       <Option name="properties" type="Map">
        <Option name="char" type="Map">
         <Option name="active" value="true" type="bool" />
         <Option name="expression" value="to_string(&quot;stop&quot;)" type="QString" />
         <Option name="type" value="3" type="int" />
        </Option>
       </Option>
       <Option name="type" value="collection" type="QString" />
      </Option>
     </data_defined_properties>
    </layer>
   </symbol>
   <symbol name="5" type="marker" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="name" value="circle" type="QString" />
      <Option name="size" value="4.4" type="QString" />
      <Option name="color" value="0,0,0,255" type="QString" />
      <Option name="outline_color" value="255,255,255,255" type="QString" />
      <Option name="outline_width" value="0.3" type="QString" />
     </Option>
    </layer>
    <layer class="FontMarker" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="size" value="3" type="QString" />
      <Option name="color" value="255,255,255,255" type="QString" />
      <Option name="chr" value="1" type="QString" />
      <Option name="font" value="Arial" type="QString" />
      <Option name="font_style" value="Bold" type="QString" />
     </Option>
     <data_defined_properties>
      <Option type="Map">
       <Option name="name" value="" type="QString" />
       <Option name="properties" type="Map">
        <Option name="char" type="Map">
         <Option name="active" value="true" type="bool" />
         <Option name="expression" value="to_string(&quot;stop&quot;)" type="QString" />
         <Option name="type" value="3" type="int" />
        </Option>
       </Option>
       <Option name="type" value="collection" type="QString" />
      </Option>
     </data_defined_properties>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="if(if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0) = 0, '', if(@map_scale &gt; 10000, ' ', &quot;arrive&quot; || '–' || &quot;leave&quot;))" isExpression="1" fontSize="8" fontSizeUnit="Point" fontWeight="75" namedStyle="Bold" textColor="0,0,0,255" textOpacity="1">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferOpacity="1" bufferColor="255,255,255,255" />
   </text-style>
   <text-format autoWrapLength="0" useMaxLineLengthForAutoWrap="1" multilineAlign="1" />
   <placement placement="6" placementFlags="0" predefinedPositionOrder="R,L,TR,TL,BR,BL,T,B" priority="10" dist="2.5" distUnits="MM" offsetType="1" repeatDistance="0" repeatDistanceUnits="MM" maxCurvedCharAngleIn="25" maxCurvedCharAngleOut="-25" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="50000" mergeLines="0" obstacle="1" obstacleFactor="2" drawLabels="1" minFeatureSize="0" />
  </settings>
 </labeling>
 <temporal mode="2" enabled="1" startField="arrives" endField="leaves" durationUnit="min" limitMode="0" />
 <fieldConfiguration>
  <field name="arrives">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" value="{{ shown }}" type="QString" />
      <Option name="field_format" value="yyyy-MM-dd HH:mm:ss" type="QString" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="leaves">
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
